"""«Инцидент»: messages that a monitoring feed finds in social networks, and answers to them."""
