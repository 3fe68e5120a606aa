"""The only code that knows Git: objects, packs, repositories on disk, signatures."""
