namespace wave {}
