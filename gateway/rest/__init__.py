"""REST: the operations of the contract over JSON and XML, with OpenAPI 3.1 made from one table."""
