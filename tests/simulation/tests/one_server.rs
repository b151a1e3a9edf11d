//! One server, whose store outlives it.

use simulation::report::prove;
use simulation::simulation::Setup;
use simulation::table::Manner;

#[test]
fn the_memory_store_behind_the_layer_is_linearizable() {
    prove(Setup::Memory);
}

#[test]
fn a_table_on_disk_behind_the_layer_is_linearizable() {
    prove(Setup::Disk(Manner::Atomic));
}
