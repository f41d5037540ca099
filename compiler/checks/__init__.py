"""What stands between a request and a program, one question a file."""
