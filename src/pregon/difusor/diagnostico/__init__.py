"""The bundle that an administrator mails to the institute: what is known, without secrets and without addresses."""
