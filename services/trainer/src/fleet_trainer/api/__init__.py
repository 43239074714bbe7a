"""The methods of the wire: requests in, responses out."""
