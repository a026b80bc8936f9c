"""What several processes of one store share in Redis or Valkey, each part with another way for when that is away."""
