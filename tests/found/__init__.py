"""What was found by trying to break the bot: each test shows one defect until it is mended."""
