"""Raw data: samples as files, texts and numbers, and the decoders that make arrays of them."""
