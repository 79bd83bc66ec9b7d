"""What goes out: classes, annotations, texts and files."""
