"""How scenarios tell what they measured: tables for people, figures for programs."""
