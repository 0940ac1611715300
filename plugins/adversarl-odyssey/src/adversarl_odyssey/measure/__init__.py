"""What `adversarl bench odyssey` and the soak test measure; imports nothing by itself."""
