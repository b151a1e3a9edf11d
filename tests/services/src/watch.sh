# Runs one server, in the current folder, for the process that holds the other end of stdin. Every
# line that arrives is a port to start the server at; the end of the input, which comes however that
# process ends, is the end of the server and of the folder.
base=$PWD server=
mkdir data
while read -r port; do
    # The former server is reaped first: until then its number counts as running.
    [ -z "$server" ] || wait "$server"
    if ! [ -e installed ]; then
        (cd data && eval "$INSTALL_COMMAND") </dev/null || { echo failed >running; continue; }
        : >installed
    fi
    (cd data && eval "exec $SERVE_COMMAND") </dev/null &
    server=$!
    echo "$server" >running
done
if [ -n "$server" ]; then
    eval "$STOP_COMMAND"
    wait "$server"
fi
cd / && rm -rf "$base"
