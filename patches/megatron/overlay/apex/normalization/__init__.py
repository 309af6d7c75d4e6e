"""Layer and RMS normalization."""

from apex.normalization.fused_layer_norm import FusedLayerNormAffineFunction, MixedFusedRMSNorm

__all__ = ["FusedLayerNormAffineFunction", "MixedFusedRMSNorm"]
