"""What reaches beyond this machine: targets there, recordings told and kept, recordings sent on."""
