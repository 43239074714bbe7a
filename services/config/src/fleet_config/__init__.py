"""Config service: Hydra resolution, schemas, discovery."""
