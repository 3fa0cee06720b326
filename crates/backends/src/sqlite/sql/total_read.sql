SELECT scheduled, submitted, running, completed, failed, cancelled, pairs, pairs_gone FROM total
