"""Says who may use what, and why, without running anything: `myAccess`, `explainAccess`, `fieldward explain`."""
