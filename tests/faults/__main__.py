"""`python -m tests.faults` writes docs/reliability.md anew."""

from tests.faults.page import PAGE, write_page

PAGE.write_text(write_page())
