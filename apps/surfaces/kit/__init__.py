"""What a surface is made of. Import from the modules: DRF loads some of them while it is itself being loaded."""
