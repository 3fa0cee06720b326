SELECT queue, flow, ready, held FROM backlog
