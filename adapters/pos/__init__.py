"""ПОС, the feedback platform of Госуслуги: pos-profile/0, a profile of our own."""
