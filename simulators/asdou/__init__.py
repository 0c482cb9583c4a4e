"""A simulated АС ДОУ: RequestExecutionService over SOAP."""
