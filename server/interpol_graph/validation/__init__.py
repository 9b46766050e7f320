"""One validation: files, shapes, vocabularies and checks in, findings with file and line out, in every report format."""
