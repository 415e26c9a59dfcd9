"""What tests share: made records, stages for screens, real programs and clients."""
