"""The scattering transform: texture by scale and angle."""
