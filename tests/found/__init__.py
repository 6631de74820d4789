"""Each file holds one promise that was once broken, seen in the whole process where that can be."""
