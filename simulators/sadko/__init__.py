"""A simulated site of ГИС САДКО.ОГ: token, inbox, outbox."""
