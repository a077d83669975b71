"""Who gets which conversation: the queue, the choice among agents, their capacity, and the record of every decision."""
