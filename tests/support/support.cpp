namespace certpair {}
