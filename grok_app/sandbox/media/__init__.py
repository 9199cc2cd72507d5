"""Pictures, videos and files of the sandbox: how they are drawn, kept, listed and served."""
