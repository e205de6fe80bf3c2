//! The rules of a request, each with the sentence that the person who broke it gets.

mod checks;
mod malformed;
mod rules;
