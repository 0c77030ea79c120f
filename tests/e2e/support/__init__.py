"""What the end-to-end cases share: the gateway as a process, a capturing upstream, a raw HTTP client."""
