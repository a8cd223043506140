# Bytes received over time, the crashes, how long the client waited, and when the pair was whole again.
# Reads received.dat, crashes.dat and protected.dat.
set terminal svg size 1000,460 dynamic background rgb 'white' font 'sans-serif,13'
set output 'timeline.svg'

set title "One client, one server that dies, and then the other one" font ',16'
set xlabel 'seconds'
set ylabel 'MiB received'
set grid lt 1 lc rgb '#e4e4e4'
set border 3 lc rgb '#666666'
set tics nomirror
set key off
set style fill solid 0.25 noborder

stats 'received.dat' using 1:2 nooutput
set xrange [0:STATS_max_x * 1.02]
top = STATS_max_y
set yrange [0:top * 1.25]

plot \
	'crashes.dat' using (($2 + $3) / 2):(top * 1.08):(($3 - $2)) with boxes lc rgb '#d62728', \
	'crashes.dat' using 1:(0):(0):(top * 1.08) with vectors nohead lw 1.5 lc rgb '#d62728', \
	'crashes.dat' using 1:(top * 1.19):4 with labels center tc rgb '#d62728', \
	'crashes.dat' using 1:(top * 1.12):5 with labels center tc rgb '#d62728' font ',11', \
	'protected.dat' using 1:(0):(0):(top * 1.08) with vectors nohead dt 2 lc rgb '#2ca02c', \
	'protected.dat' using 1:(top * 1.04):2 with labels right offset -1,0 tc rgb '#2ca02c' font ',11', \
	'received.dat' index 0 using 1:2 with lines lw 2.5 lc rgb '#1f77b4', \
	'received.dat' index 1 using 1:2 with lines lw 2.5 lc rgb '#2ca02c'
