"""The LSTM: network, Lightning module, training chunks and estimator. The only room that knows torch."""
