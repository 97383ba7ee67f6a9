"""The way to a real account and back: package, deploy, status, destroy, and an account to rehearse them on."""
