"""The institute's side: makes a cut (actas in, signed package out), keeps its workspace and delivers."""
