"""What serves the public: the rules that every web server follows, each server's text, and the embedded one."""
