SELECT scheduled, submitted, running, completed, failed, cancelled, pairs FROM total
