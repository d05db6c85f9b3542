"""What people see and what programs call: portal, console and API."""
