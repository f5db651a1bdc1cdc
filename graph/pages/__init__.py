"""What a browser is shown: the workbench (GraphiQL), or a plain page where it is not built."""
