//! An embedded HealthOmics.
