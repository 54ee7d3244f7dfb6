"""The life of a case (工单): its document, its table of moves, its clock."""
