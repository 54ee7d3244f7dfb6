"""Large events of `appeals_stream_4326.csv`, found by eye before anything here was coded: native ids, no text.

How: letters were looked for by estate, street, school, firm and topic, then read. A letter belongs to an event when it
asks for the same thing to be put right at the same place; letters of the same estate about something else do not.
"""

EVENTS: dict[str, frozenset[str]] = {
    # a concrete plant beside a housing estate
    "concrete_plant": frozenset(
        """
        188809 189950 190108 190523 190802 199379 203393 208285 208714 213464 213930 214282 215563 215842
        216824 217700 222831 225217 231136 233158 234327 235362 238212 239336 239648 243692 244335 244512
        247160 253040 255008 255276 257091 258242 258378 259788 260979 261072 264944 266665 267050 268109
        268300 272224 272361 272447 273282 274004 281348 281546 281902 281943 283482 284485 287331 287458
        """.split()
    ),
    # flats sold only together with a parking space
    "parking_forced": frozenset(
        """
        188801 190337 191001 192739 195511 195995 196264 200085 204960 205277 205982 206355 207243 209506
        209571 212323 213584 214975 218709 218739 220534 222209 223247 224767 230554 234633 236301 239032
        241373 244243 244342 244528 246407 246785 250514 251601 251844 255507 258037 258386 260254 268299
        268626 268920 271517 276016 276460 278263 279070 279941 280774 283879 285897 286304 289473 289588
        289950
        """.split()
    ),
    # fumes and noise of the eateries on the ground floor of an estate
    "eatery_fumes": frozenset(
        """
        189381 195095 236798 242792 245136 246362 246598 268914 272122 284147 287386 360100 360101 360102
        360103 360104 360105 360106 360107 360108 360109
        """.split()
    ),
    # an investment platform that broke down, and what the police do about it
    "car_loan_fraud": frozenset(
        """
        194343 214238 217032 218132 220711 223787 226265 234320 240554 254532 264119 268251 272413 272858
        275171
        """.split()
    ),
    # a street whose renewal was stopped
    "old_town_street": frozenset(
        """
        210366 228139 234952 250512 259574 260149 268757 274285 284120
        """.split()
    ),
    # students of a college sent to factories
    "forced_internship": frozenset(
        """
        195917 233759 242062 266368 360110 360111 360112 360113 360114
        """.split()
    ),
    # an English school that does not give fees back
    "school_fees_back": frozenset(
        """
        188467 190969 197104 223497 233066 244103 254068 260766 282638
        """.split()
    ),
    # a high-voltage line along a road
    "high_voltage_line": frozenset(
        """
        200480 218442 225849 231773 234885 254865 262052 268250 272089
        """.split()
    ),
    # a park that was planned and never begun
    "hill_park": frozenset(
        """
        216349 226168 231690 260157 269955 287036
        """.split()
    ),
    # the plan of another park
    "park_plan": frozenset(
        """
        193337 226408 238692 253331 273741 278099 278281 278545 289574
        """.split()
    ),
    # a second investment platform
    "wealth_platform": frozenset(
        """
        198855 206123 224211 244224 249751 276931
        """.split()
    ),
    # traders of a food court without fire approval
    "food_court": frozenset(
        """
        201290 203012 205156 213101 214164 216733 231418 244744 278948 281974
        """.split()
    ),
    # defects of the houses of one estate
    "villa_defects": frozenset(
        """
        208069 208636 215507 234086 252650 262599 275491
        """.split()
    ),
}
