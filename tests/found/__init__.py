"""What was found by trying to break it: each file shows one defect, in the whole process where
that can be, and stays as its test once it is mended."""
