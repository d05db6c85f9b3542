"""The parts that pages are made of: charts, icons, shapes and their gallery."""
