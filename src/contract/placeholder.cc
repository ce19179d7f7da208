namespace wave {}  // replaced by the room's first source
