module example.com/shop

go 1.21

require (
	example.com/lib v0.0.0
	github.com/BurntSushi/toml v1.3.2
	github.com/kr/pretty v0.3.1
	github.com/spf13/pflag v1.0.5
	golang.org/x/text v0.14.0
)

require (
	github.com/kr/text v0.2.0 // indirect
	github.com/rogpeppe/go-internal v1.9.0 // indirect
)

replace example.com/lib => ./lib

replace github.com/spf13/pflag v1.0.5 => github.com/spf13/pflag v1.0.3 // older on purpose

exclude golang.org/x/text v0.13.0
