namespace wave {}  // namespace wave
