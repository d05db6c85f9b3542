"""A mailbox, read by IMAP: reports that come by e-mail."""
