"""Megatron imports this extension of Apex by name and then calls apex.normalization, which does not need it here."""
