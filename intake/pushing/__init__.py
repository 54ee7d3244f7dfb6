"""Push to a department's own address (推送): for those who can neither speak AMQP nor come and fetch."""
