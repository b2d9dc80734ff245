"""Find the fathers known to several services without anybody's file being handed around."""

__version__ = "0.1.0"
